// Soft light that was drawn small, added to what is there. A step of dither either way breaks the
// bands that 8 bits would make of it.
uniform sampler2D picture;  // linear
uniform sampler2D noise;    // 256 pixels square: red even
uniform vec4 piece;         // left, top, right, bottom in the texture, 0 … 1
uniform float fan;          // how much wider the upper edge shows than the lower one
uniform vec2 fade;          // from where downwards it fades, and where it is gone, in pixels
uniform float strength;

#if defined(VERTEX)

out vec2 at;
out float left;

void main() {
    vec2 position = place(0.0);
    at = corner;
    left = (fade.y - position.y) / max(fade.y - fade.x, 1e-3);
}

#else

in vec2 at;
in float left;

void main() {
    vec2 there = at;
#ifdef FANNED
    there.x += (at.x - 0.5) * fan * (1.0 - at.y);
#endif
    float rest = clamp(left, 0.0, 1.0);
    vec3 light = texture(picture, mix(piece.xy, piece.zw, there)).rgb * (strength * rest * rest);
    float dither = texelFetch(noise, ivec2(gl_FragCoord.xy) & 255, 0).r - 0.5;
    // Behind it is a night sky of about 0.004; where there is no light there is no noise.
    light += dither * min(sqrt(light + 0.004) * (1.8 / 255.0), light);
    result = vec4(light, 0.0);
}

#endif

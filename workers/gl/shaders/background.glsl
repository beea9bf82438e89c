// The background: a gradient or a picture, darkened towards the corners, dithered so that slow
// gradients show no bands in 8 bits.
uniform vec3 colour;        // linear, where there is no gradient
uniform vec3 stops[8];      // of the gradient
uniform float places[8];    // of the colours along the gradient
uniform int count;          // how many of them
uniform vec2 slope;         // of the gradient, per pixel from the middle of the frame
uniform vec2 middle;        // of the frame in pixels
uniform float vignette;
uniform sampler2D image;    // premultiplied
uniform vec4 window;        // where the picture lies: left, top, right, bottom in pixels
uniform float brightness;   // of the picture
uniform sampler2D noise;    // 256 pixels square: red even

#if defined(VERTEX)

out vec2 position;

void main() {
    position = place(0.0);
}

#else

in vec2 position;

void main() {
#ifdef GRADIENT
    vec3 light = stops[0];
    float along = dot(position - middle, slope) + 0.5;
    for (int i = 1; i < count; i++) {
        float reach = max(places[i] - places[i - 1], 1e-6);
        light = mix(light, stops[i], clamp((along - places[i - 1]) / reach, 0.0, 1.0));
    }
#else
    vec3 light = colour;
#endif
#ifdef PICTURE
    // Half a level sharper than mipmaps have it: bilinear filtering serves as far as that.
    vec4 texel = texture(image, (position - window.xy) / (window.zw - window.xy), -0.5);
#ifdef SURROUNDED
    texel *= coverage(position, window);
    light = light * (1.0 - texel.a) + texel.rgb * brightness;
#else
    light = texel.rgb * brightness;
#endif
#endif
#ifdef VIGNETTE
    vec2 out_there = (position - middle) / middle;
    light *= 1.0 - vignette * smoothstep(0.35, 2.0, dot(out_there, out_there));
#endif
#ifdef DITHER
    // Half a step either way: enough to break bands, and cheap to encode (twice as much would
    // add half the size of a quiet video). A step is as wide in light as the sRGB curve is steep
    // there: within 2 % of this, and straight near black.
    float dither = texelFetch(noise, ivec2(gl_FragCoord.xy) & 255, 0).r - 0.5;
    light += dither / 255.0 * max(1.817 * sqrt(light) + 0.488 * light - 0.03, 0.0774);
    light = max(light, 0.0);
#endif
    result = vec4(light, 1.0);
}

#endif

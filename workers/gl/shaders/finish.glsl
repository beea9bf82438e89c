// The finish: bloom, exposure, grading, tone mapping, vignette and grain, in linear light.
// Each is compiled in where it is wanted.
uniform sampler2D picture;      // the canvas: linear, premultiplied, of any strength
uniform sampler2D light;        // what bright things throw around them, a few pixels wide
uniform float bloom;            // strength of that
uniform vec3 gain;              // exposure and white balance
uniform float contrast;
uniform float saturation;
uniform vec3 shadows;           // what dark and bright parts are multiplied with
uniform vec3 highlights;
uniform float vignette;
uniform float grain;
uniform ivec2 shift;            // of the grain at this moment
uniform float grain_px;         // size of a grain
uniform sampler2D noise;        // 256 pixels square: red even, green with a hill in the middle

#if defined(VERTEX)

void main() {
    place(0.0);
}

#else

const vec3 LUMA = vec3(0.2126, 0.7152, 0.0722);     // ITU-R BT.709-6, 3.2

// Up to the knee light stays as it is; beyond it comes ever closer to 1. The three colours are
// brought back together, so that their hue stays, and then turn white as they would in a flame.
vec3 soft(vec3 c) {
    const float knee = 0.75;
    float peak = max(c.r, max(c.g, c.b));
    if (peak <= knee) return c;
    float over = (peak - knee) / (1.0 - knee);
    float mapped = knee + (1.0 - knee) * (1.0 - exp(-over));
    vec3 kept = c * (mapped / peak);
    float white = 1.0 - 1.0 / (1.0 + 0.22 * max(peak - 1.0, 0.0));
    return mix(kept, vec3(mapped), white);
}

// ACES filmic curve as fitted by Krzysztof Narkowicz (2016).
vec3 filmic(vec3 c) {
    c *= 0.8;
    return clamp(c * (2.51 * c + 0.03) / (c * (2.43 * c + 0.59) + 0.14), 0.0, 1.0);
}

void main() {
    vec2 at = gl_FragCoord.xy;
    ivec2 pixel = ivec2(at);
    vec4 texel = texelFetch(picture, pixel, 0);
    vec3 c = texel.rgb;
#ifdef BLOOM
    c += bloom * texture(light, at / frame).rgb;
#endif
#ifdef GRADE
    c *= gain;
    float luma = dot(c, LUMA);
    c *= mix(shadows, highlights, smoothstep(0.0, 0.6, luma));
    c = max(mix(vec3(luma), c, saturation), 0.0);
    // Contrast turns around middle grey, 18 % of white.
    // Nothing to the power of nothing is no number.
    c = 0.18 * pow(max(c, 1e-9) / 0.18, vec3(contrast));
#endif
#ifdef SOFT
    c = soft(c);
#endif
#ifdef FILMIC
    c = filmic(c);
#endif
#ifdef VIGNETTE
    vec2 out_there = at / frame * 2.0 - 1.0;
    c *= 1.0 - vignette * smoothstep(0.35, 2.0, dot(out_there, out_there));
#endif
#ifdef GRAIN
    // Film shows most grain where it is neither black nor white.
    float speck = texelFetch(noise, (ivec2(at / grain_px) + shift) & 255, 0).g - 0.5;
    c *= 1.0 + grain * 2.0 * speck * (1.1 - sqrt(clamp(dot(c, LUMA), 0.0, 1.0)));
#endif
    // Half a step of 8 bits either way, as the background has it, breaks the bands of bloom. A
    // step is as wide in light as the sRGB curve is steep there, nearly 2.2 √light.
    float dither = texelFetch(noise, pixel & 255, 0).r - 0.5;
    c = max(c + dither * sqrt(c + 1e-5) * (2.2 / 255.0), 0.0);
    result = vec4(c, texel.a);
}

#endif

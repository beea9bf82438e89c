// One step of the bloom: a smaller, softer picture, or a softer one added to a larger.
// The 13-tap and the tent filter of Jorge Jimenez, "Next Generation Post Processing in Call of
// Duty: Advanced Warfare", SIGGRAPH 2014.
uniform sampler2D picture;
uniform vec2 texel;             // size of a pixel of the picture, as part of it
uniform float weight;

#if defined(VERTEX)

void main() {
    place(0.0);
}

#else

vec3 at(vec2 middle, float x, float y) {
    return texture(picture, middle + vec2(x, y) * texel).rgb;
}

void main() {
    vec2 m = gl_FragCoord.xy / frame;
    vec3 c;
#ifdef UP
    c = 4.0 * at(m, 0.0, 0.0)
        + 2.0 * (at(m, -1.0, 0.0) + at(m, 1.0, 0.0) + at(m, 0.0, -1.0) + at(m, 0.0, 1.0))
        + at(m, -1.0, -1.0) + at(m, 1.0, -1.0) + at(m, -1.0, 1.0) + at(m, 1.0, 1.0);
    c /= 16.0;
#else
    vec3 inner = at(m, -1.0, -1.0) + at(m, 1.0, -1.0) + at(m, -1.0, 1.0) + at(m, 1.0, 1.0);
    vec3 edges = at(m, -2.0, 0.0) + at(m, 2.0, 0.0) + at(m, 0.0, -2.0) + at(m, 0.0, 2.0);
    vec3 outer = at(m, -2.0, -2.0) + at(m, 2.0, -2.0) + at(m, -2.0, 2.0) + at(m, 2.0, 2.0);
    c = 0.125 * at(m, 0.0, 0.0) + 0.125 * inner + 0.0625 * edges + 0.03125 * outer;
#endif
    result = vec4(c * weight, 0.0);
}

#endif

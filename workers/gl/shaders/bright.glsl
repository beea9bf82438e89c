// What is bright enough to shine, at a fraction of the size: the mean of what each pixel covers,
// looked at in TAPS places along each axis.
uniform sampler2D picture;
uniform float threshold;
uniform vec2 span;              // pixels of the picture that one pixel covers, as part of it

#if defined(VERTEX)

void main() {
    place(0.0);
}

#else

void main() {
    vec2 middle = gl_FragCoord.xy / frame;
    vec3 sum = vec3(0.0);
    float weight = 0.0;
    for (int y = 0; y < TAPS; y++) {
        for (int x = 0; x < TAPS; x++) {
            vec2 off = (vec2(x, y) + 0.5) / float(TAPS) - 0.5;
            vec3 c = texture(picture, middle + off * span).rgb;
            float peak = max(c.r, max(c.g, c.b));
            // A soft knee, and no more weight for a single very bright pixel than it deserves:
            // without that, sparks flicker as they cross pixels.
            float over = max(peak - threshold, 0.0);
            float share = over * over / (over * over + 0.25 * threshold * threshold + 1e-4);
            float calm = 1.0 / (1.0 + 0.25 * peak);
            sum += c * share * calm;
            weight += calm;
        }
    }
    result = vec4(sum / weight, 1.0);
}

#endif

// One plane of BT.709 limited-range 4:2:0 from the finished frame.
// Matrix: ITU-R BT.709-6, 3.2 and 3.4 (8-bit quantisation). The chroma of 2x2 pixels is their
// mean, left-aligned siting being half a chroma sample's difference that no player shows.
uniform sampler2D picture;  // linear: the sampler decodes sRGB
uniform vec3 weights;
uniform float base;
uniform int step_px;        // 1 luma, 2 chroma

#if defined(VERTEX)

void main() {
    place(0.0);
}

#else

vec3 encoded(ivec2 at) {
    vec3 light = texelFetch(picture, at, 0).rgb;
    return mix(light * 12.92, 1.055 * pow(max(light, 1e-5), vec3(1.0 / 2.4)) - 0.055,
               step(0.0031308, light));
}

void main() {
    ivec2 at = ivec2(gl_FragCoord.xy) * step_px;
    vec3 rgb = encoded(at);
    if (step_px == 2) {
        rgb += encoded(at + ivec2(1, 0)) + encoded(at + ivec2(0, 1)) + encoded(at + ivec2(1, 1));
        rgb *= 0.25;
    }
    result = vec4((base + dot(weights, rgb)) / 255.0, 0.0, 0.0, 1.0);
}

#endif

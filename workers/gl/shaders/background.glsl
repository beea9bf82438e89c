// The background: a gradient or an image, darkened towards the corners, dithered so that slow
// gradients show no bands in 8 bits.
uniform vec3 stops[8];      // linear colours
uniform float places[8];    // of the colours along the gradient
uniform int count;          // how many of them
uniform vec2 slope;         // of the gradient, per pixel from the middle of the frame
uniform vec2 middle;        // of the frame in pixels
uniform float vignette;
uniform sampler2D image;
uniform vec4 window;        // where the image lies: left, top, right, bottom in pixels
uniform float brightness;   // of the image; below 0 where there is none

#if defined(VERTEX)

out vec2 position;

void main() {
    position = place(0.0);
}

#else

in vec2 position;

float noise(vec2 at) {      // 0 … 1, a hash of the pixel
    uvec2 q = uvec2(at) * uvec2(1597334677u, 3812015801u);
    uint n = (q.x ^ q.y) * 1597334677u;
    n ^= n >> 15;
    n *= 2246822519u;
    n ^= n >> 13;
    return float(n) / 4294967295.0;
}

vec3 encode(vec3 light) {
    return mix(light * 12.92, 1.055 * pow(max(light, 1e-5), vec3(1.0 / 2.4)) - 0.055,
               step(0.0031308, light));
}

vec3 decode(vec3 value) {
    return mix(value / 12.92, pow((value + 0.055) / 1.055, vec3(2.4)), step(0.04045, value));
}

void main() {
    float along = dot(position - middle, slope) + 0.5;
    vec3 light = stops[0];
    for (int i = 1; i < count; i++) {
        float reach = max(places[i] - places[i - 1], 1e-6);
        light = mix(light, stops[i], clamp((along - places[i - 1]) / reach, 0.0, 1.0));
    }
    if (brightness >= 0.0) {
        vec2 at = (position - window.xy) / (window.zw - window.xy);
        vec4 texel = texture(image, at);
        light = mix(light, texel.rgb * brightness, texel.a * coverage(position, window));
    }
    vec2 out_there = (position - middle) / middle;
    light *= 1.0 - vignette * smoothstep(0.35, 2.0, dot(out_there, out_there));

    // Half a step either way: enough to break bands, and cheap to encode (twice as much would
    // add half the size of a quiet video).
    float grain = noise(position) - 0.5;
    light = decode(clamp(encode(light) + grain / 255.0, 0.0, 1.0));
    result = vec4(light, 1.0);
}

#endif

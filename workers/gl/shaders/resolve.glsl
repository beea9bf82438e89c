// The finished frame as pictures hold it: encoded as sRGB, with straight alpha where there is one.
//
// Players lay a transparent picture over another by mixing the encoded values, not the light.
// So alpha is not the share of light that is covered: it is chosen so that what they mix is what
// would have been drawn, exactly over black and over white, and nearly so over what lies between.
// Light that was added where nothing is covered becomes opaque enough to be seen.
uniform sampler2D picture;  // linear and premultiplied
uniform float steps;        // of alpha; 0 where the picture is opaque

#if defined(VERTEX)

void main() {
    place(0.0);
}

#else

vec3 encode(vec3 light) {
    return mix(light * 12.92, 1.055 * pow(max(light, 1e-5), vec3(1.0 / 2.4)) - 0.055,
               step(0.0031308, light));
}

void main() {
    vec4 texel = texelFetch(picture, ivec2(gl_FragCoord.xy), 0);
    vec3 over_black = encode(texel.rgb);
    result = vec4(over_black, 1.0);
    if (steps > 0.0) {
        vec3 over_white = encode(min(texel.rgb + 1.0 - texel.a, 1.0));
        vec3 covered = 1.0 - over_white + over_black;
        float alpha = max(max(covered.r, covered.g), covered.b);
        // Rounded up to what can be kept, so that the colour can make up for the rest.
        alpha = min(ceil(alpha * steps - 0.01) / steps, 1.0);
        result = vec4(alpha > 0.0 ? min(over_black / alpha, 1.0) : vec3(0.0), alpha);
    }
}

#endif

// An image with an opacity, its pixels laid on those of the frame.
uniform sampler2D image;

#if defined(VERTEX)

in vec4 piece;          // left, top, right, bottom in the texture, 0 … 1
in float opacity;
out vec2 at;
flat out float strength;

void main() {
    place(0.0);
    at = mix(piece.xy, piece.zw, corner);
    strength = opacity;
}

#else

in vec2 at;
flat in float strength;

void main() {
    vec4 texel = texture(image, at);    // linear light, not premultiplied
    float alpha = texel.a * strength;
    result = vec4(texel.rgb * alpha, alpha);
}

#endif

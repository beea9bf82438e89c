// A piece of a mask, painted in one colour: text.
uniform sampler2D mask;

#if defined(VERTEX)

in vec4 piece;          // left, top, right, bottom in the texture, 0 … 1
in vec4 colour;         // linear, not premultiplied
out vec2 at;
out vec2 position;
flat out vec4 paint;

void main() {
    position = place(0.0);
    at = mix(piece.xy, piece.zw, corner);
    paint = colour;
}

#else

in vec2 at;
in vec2 position;
flat in vec4 paint;

void main() {
    float alpha = paint.a * texture(mask, at).r * edged(position);
    result = vec4(paint.rgb * alpha, alpha);
}

#endif

// A row of letters that is sung: on one side of an edge in one colour, beyond it in another.
uniform sampler2D mask;
uniform float soft;     // width of the edge in pixels

#if defined(VERTEX)

in vec4 piece;          // left, top, right, bottom in the texture, 0 … 1
in vec4 colour;         // of what is not yet sung; linear, not premultiplied
in vec4 sung;           // of what is sung
in vec2 edge;           // where it is across the frame, and 1 where what is sung is left of it, or -1
out vec2 at;
out float ahead;        // pixels from the edge towards what is not yet sung
flat out vec4 before;
flat out vec4 after;

void main() {
    vec2 position = place(0.0);
    at = mix(piece.xy, piece.zw, corner);
    ahead = (position.x - edge.x) * edge.y;
    before = colour;
    after = sung;
}

#else

in vec2 at;
in float ahead;
flat in vec4 before;
flat in vec4 after;

void main() {
    vec4 paint = mix(after, before, smoothstep(-0.5 * soft, 0.5 * soft, ahead));
    float alpha = paint.a * texture(mask, at).r;
    result = vec4(paint.rgb * alpha, alpha);
}

#endif

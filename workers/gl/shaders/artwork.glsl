// An image with a shape of its own, at any angle: as it is, with round corners, or a disc.
uniform sampler2D image;    // premultiplied
uniform vec2 middle;        // of the image, in pixels
uniform vec2 half_size;     // half its width and height, in pixels
uniform vec2 turn;          // cosine and sine of its angle
uniform vec4 piece;         // left, top, right, bottom in the texture, 0 … 1
uniform float radius;       // of its corners
uniform float border;       // width of its border
uniform vec4 border_colour; // linear, premultiplied
uniform float opacity;

#if defined(VERTEX)

out vec2 away;              // from its middle, upright

void main() {
    vec2 from = place(0.0) - middle;
    away = vec2(turn.x * from.x + turn.y * from.y, turn.x * from.y - turn.y * from.x);
}

#else

in vec2 away;

void main() {
    vec4 colour = texture(image, mix(piece.xy, piece.zw, away / half_size * 0.5 + 0.5), -0.5);
    float outside = rounded(away, vec4(-half_size, half_size), radius);
#ifdef BORDERED
    float rim = clamp(outside + border + 0.5, 0.0, 1.0);
    colour = colour * (1.0 - border_colour.a * rim) + border_colour * rim;
#endif
    result = colour * (clamp(0.5 - outside, 0.0, 1.0) * opacity);
}

#endif

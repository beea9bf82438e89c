// Shared by all programs: a rectangle in pixels, y downwards, as the rows of a picture lie.
#if defined(VERTEX)

uniform vec2 frame;     // size of the frame in pixels
in vec2 corner;         // 0 or 1 each
in vec4 box;            // left, top, right, bottom

vec2 place(float margin) {
    vec2 position = mix(box.xy - margin, box.zw + margin, corner);
    gl_Position = vec4(position / frame * 2.0 - 1.0, 0.0, 1.0);
    return position;
}

#else

out vec4 result;        // linear light, premultiplied

// How much of the pixel at `position` a rectangle covers: exact for edges along the axes.
float coverage(vec2 position, vec4 box) {
    vec2 overlap = min(position + 0.5, box.zw) - max(position - 0.5, box.xy);
    overlap = clamp(overlap, 0.0, 1.0);
    return overlap.x * overlap.y;
}

// Signed distance in pixels to a rounded rectangle, negative inside.
float rounded(vec2 position, vec4 box, float radius) {
    vec2 half_size = (box.zw - box.xy) * 0.5;
    vec2 away = abs(position - (box.xy + box.zw) * 0.5) - half_size + radius;
    return length(max(away, 0.0)) + min(max(away.x, away.y), 0.0) - radius;
}

#endif

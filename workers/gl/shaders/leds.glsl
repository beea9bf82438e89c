// A stack of lights, of which the lower ones shine.
uniform float rows;         // how many
uniform float gap;          // part of a row that is left free
uniform float round_ends;   // 1 or 0
uniform float opacity;

#if defined(VERTEX)

in vec3 colour;         // linear
in float level;         // 0 … 1
in float peak;          // where one more shines, 0 … 1
out vec2 position;
flat out vec4 area;
flat out vec3 paint;
flat out vec2 shine;    // how many shine, and which one more

void main() {
    position = place(1.0);
    area = box;
    paint = colour;
    shine = vec2(level, peak) * rows;
}

#else

in vec2 position;
flat in vec4 area;
flat in vec3 paint;
flat in vec2 shine;

void main() {
    float tall = (area.w - area.y) / rows;
    float row = clamp(floor((area.w - position.y) / tall), 0.0, rows - 1.0);
    float bottom = area.w - row * tall;
    float inset = 0.5 * gap * tall;
    vec4 cell = vec4(area.x, bottom - tall + inset, area.z, bottom - inset);
    vec2 size = cell.zw - cell.xy;
    float away = rounded(position, cell, round_ends * 0.5 * min(size.x, size.y));
    float alpha = clamp(0.5 - away, 0.0, 1.0) * min(size.x, 1.0) * min(size.y, 1.0) * opacity;
    float lit = clamp(shine.x - row, 0.0, 1.0);
    lit = max(lit, clamp(1.0 - abs(shine.y - 1.0 - row), 0.0, 1.0));
    float high = (row + 1.0) / rows;
    vec3 bright = paint * (0.8 + 0.5 * high) + 0.25 * high * high;
    vec3 body = mix(paint * 0.035, bright, lit);
    result = vec4(body * alpha, alpha);
}

#endif

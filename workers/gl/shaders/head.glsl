// The head of a note: an ellipse that leans a little, with light around it while it sounds.
uniform float reach;    // of the light in pixels

#if defined(VERTEX)

in vec4 colour;         // linear, not premultiplied
in vec4 light;          // around it: its colour and strength
out vec2 position;
flat out vec4 area;
flat out vec4 paint;
flat out vec4 shine;

void main() {
    position = place(light.a > 0.0 ? reach : 2.0);
    area = box;
    paint = colour;
    shine = light;
}

#else

in vec2 position;
flat in vec4 area;
flat in vec4 paint;
flat in vec4 shine;

const vec2 LEAN = vec2(0.966, 0.259);   // 15 degrees, as heads are engraved

void main() {
    vec2 half_size = (area.zw - area.xy) * 0.5;
    vec2 from = position - (area.xy + area.zw) * 0.5;
    from = vec2(LEAN.x * from.x - LEAN.y * from.y, LEAN.y * from.x + LEAN.x * from.y);
    float ring = length(from / half_size);
    float away = ring * (ring - 1.0) / max(length(from / (half_size * half_size)), 1e-4);
    float fill = clamp(0.5 - away, 0.0, 1.0) * paint.a;
    float fall = clamp(1.0 - max(away, 0.0) / (reach - 1.0), 0.0, 1.0);
    float glow = shine.a * fall * fall * fall * (1.0 - fill);
    result = vec4(paint.rgb * fill + shine.rgb * glow, fill + glow) * edged(position);
}

#endif

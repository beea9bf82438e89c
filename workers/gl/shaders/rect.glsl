// A flat rectangle with exactly anti-aliased edges: lines, strips, fills.
#if defined(VERTEX)

in vec4 colour;         // linear, not premultiplied
out vec2 position;
flat out vec4 area;
flat out vec4 paint;

void main() {
    position = place(1.0);
    area = box;
    paint = colour;
}

#else

in vec2 position;
flat in vec4 area;
flat in vec4 paint;

void main() {
    float alpha = paint.a * coverage(position, area) * edged(position);
#ifdef TAPERED              // it thins out towards its left and right end
    float place = (position.x - area.x) / (area.z - area.x) * 2.0 - 1.0;
    alpha *= 1.0 - place * place;
#endif
    result = vec4(paint.rgb * alpha, alpha) * shown(position);
}

#endif

// A star: a point with a soft edge, and around bright ones a halo with four faint rays.
#if defined(VERTEX)

in vec3 colour;         // linear, times its brightness
in vec2 shape;          // radius in pixels at which its point has lost 2/3, strength of the halo
out vec2 away;          // from its middle, in such radii
flat out vec3 paint;
flat out vec2 form;     // of the halo: strength, and radius likewise

void main() {
    place(0.0);
    away = (corner - 0.5) * (box.zw - box.xy) / shape.x;
    paint = colour;
    form = vec2(shape.y, 0.5 * (box.z - box.x) / shape.x);
}

#else

in vec2 away;
flat in vec3 paint;
flat in vec2 form;

void main() {
    float square = dot(away, away);
    float edge = max(1.0 - square / (form.y * form.y), 0.0);
    float point = exp2(-1.443 * square);
#ifdef BRIGHT
    vec2 arms = abs(away);
    float ray = exp2(-2.2 * min(arms.x, arms.y)) * edge * edge;
    float halo = edge * edge * edge * edge;
    point += form.x * (0.30 * ray / (1.0 + 0.35 * square) + 0.06 * halo / (1.0 + 0.08 * square));
#endif
    result = vec4(paint * (point * min(edge * 4.0, 1.0)), 0.0);
}

#endif

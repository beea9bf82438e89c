// Light along a lane: gone at both sides, and fading along it. Alpha stays 0: light is added.
uniform vec2 away;      // unit vector from where the light is brightest

#if defined(VERTEX)

in vec3 colour;         // linear
in vec2 shape;          // how fast it fades, 0 … 1, and light added at its source
out vec2 position;
flat out vec4 area;
flat out vec3 paint;
flat out vec2 form;

void main() {
    position = place(0.0);
    area = box;
    paint = colour;
    form = shape;
}

#else

in vec2 position;
flat in vec4 area;
flat in vec3 paint;
flat in vec2 form;

void main() {
    vec2 at = (position - area.xy) / (area.zw - area.xy);       // 0 … 1 along both axes
    float side = dot(at, 1.0 - abs(away)) * 2.0 - 1.0;
    float along = dot(at, away) + max(-(away.x + away.y), 0.0);
#ifdef TAPERED
    side /= 1.0 - 0.45 * along;
    // It rises within the note that it follows: no edge shows beside it.
    vec2 size = area.zw - area.xy;
    float rise = along * abs(dot(size, away)) / (0.3 * dot(size, 1.0 - abs(away)));
    rise = smoothstep(0.0, 1.0, rise);
#else
    const float rise = 1.0;
#endif
    float flank = max(1.0 - side * side, 0.0);
    flank = flank * flank * flank;
    float rest = 1.0 - along;
    float source = max(1.0 - along * 7.0, 0.0);
    float light = rise * flank * (rest * rest * mix(1.0, rest, form.x) + form.y * source * source * source);
    result = vec4(paint * light, 0.0) * shown(position);
}

#endif

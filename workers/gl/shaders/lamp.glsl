// A small lamp behind glass, and the light around it.
#if defined(VERTEX)

in vec4 colour;         // linear, and how far it is on, 0 … 1
in float reach;         // of its light in pixels
out vec2 position;
flat out vec4 area;
flat out vec4 paint;
flat out float halo;

void main() {
    position = place(reach + 1.0);
    area = box;
    paint = colour;
    halo = reach;
}

#else

in vec2 position;
flat in vec4 area;
flat in vec4 paint;
flat in float halo;

void main() {
    vec2 size = area.zw - area.xy;
    float radius = 0.5 * min(size.x, size.y);
    float away = rounded(position, area, radius);
    float fill = clamp(0.5 - away, 0.0, 1.0);
    float heart = clamp(-away / radius, 0.0, 1.0);
    float gleam = clamp(1.0 - length(position - area.xy - 0.7 * radius) / radius, 0.0, 1.0);
    vec3 glass = paint.rgb * 0.03 + 0.008 + 0.06 * gleam;
    vec3 bright = paint.rgb * (1.0 + 0.9 * heart) + 0.45 * heart * heart;
    float around = clamp(1.0 - away / halo, 0.0, 1.0);
    vec3 light = paint.rgb * (paint.a * 0.55 * around * around * around * (1.0 - fill));
    result = vec4(mix(glass, bright, paint.a) * fill + light, fill) * shown(position);
}

#endif

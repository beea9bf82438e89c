// A note: a rounded bar with a lit rim, and a halo of light while it sounds.
uniform float halo;     // reach of the light in pixels
uniform float strength; // of the light
uniform float sheen;    // strength of the highlight
uniform float outline;  // 1: only the edge is filled
uniform vec2 across;    // unit vector along the pitch axis

#if defined(VERTEX)

in vec3 colour;         // linear
in float radius;        // of the corners in pixels
in float sounding;      // 0 silent … 1 just struck
out vec2 position;
flat out vec4 area;
flat out vec3 paint;
flat out vec2 shape;    // radius, sounding

void main() {
    position = place(sounding > 0.0 ? halo + 1.0 : 1.0);
    area = box;
    paint = colour;
    shape = vec2(radius, sounding);
}

#else

in vec2 position;
flat in vec4 area;
flat in vec3 paint;
flat in vec2 shape;

void main() {
    vec2 size = area.zw - area.xy;
    float away = rounded(position, area, min(shape.x, 0.5 * min(size.x, size.y)));
    float fill = clamp(0.5 - away, 0.0, 1.0);
    float width = dot(size, across);
    float side = dot(position - area.xy, across) / width;       // 0 … 1 across the note
    float rim = smoothstep(-0.16 * width, 0.0, away);           // 1 at the edge
    float sounding = shape.y;

    // Light falls from the low side; a sounding note is lit from within.
    vec3 body = paint * (1.0 + sheen * (0.35 - 0.7 * side));
    body += (paint * 0.9 + 0.06) * (sheen * rim * rim);
    body = mix(body, paint * 1.55 + 0.10, 0.75 * sounding);
    float inside = mix(1.0, max(rim, 0.16 + 0.5 * sounding), outline);

    float reach = clamp(1.0 - away / halo, 0.0, 1.0);
    float light = strength * sounding * reach * reach * reach * (1.0 - fill);
    float alpha = fill * inside;
    result = vec4(body * alpha + paint * light, alpha);
}

#endif

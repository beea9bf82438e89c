// A bar of a spectrum, or with GLOW only the light around it. Where TURNED it stands on a circle:
// its box is across and along its radius, the middle of the circle is at (0, 0), outwards is up.
uniform float round_ends;   // 1 or 0
uniform float mirrored;     // 1: it grows from its middle, 0: from its lower end
uniform float halo;         // reach of the light in pixels
uniform float strength;     // of the light
uniform float opacity;
#ifdef TURNED
uniform vec2 middle;        // of the circle in pixels
#endif

#if defined(VERTEX)

in vec3 colour;         // linear
in float level;         // 0 silent … 1 full
#ifdef TURNED
in vec2 outwards;       // unit vector
#endif
out vec2 position;
flat out vec4 area;
flat out vec4 paint;

void main() {
#ifdef GLOW
    position = place(halo);
#else
    position = place(1.0);
#endif
#ifdef TURNED
    vec2 at = middle + position.x * vec2(-outwards.y, outwards.x) - position.y * outwards;
    gl_Position = vec4(at / frame * 2.0 - 1.0, 0.0, 1.0);
#endif
    area = box;
    paint = vec4(colour, level);
}

#else

in vec2 position;
flat in vec4 area;
flat in vec4 paint;

void main() {
    vec2 size = area.zw - area.xy;
    float away = rounded(position, area, round_ends * 0.5 * min(size.x, size.y));
#ifdef GLOW
    float reach = clamp(1.0 - max(away, 0.0) / halo, 0.0, 1.0);
    float light = strength * paint.a * reach * reach * reach * opacity;
    result = vec4(paint.rgb * light, 0.0);
#else
    // What is thinner than a pixel covers but a part of it.
    vec2 thin = min(size, 1.0);
    float alpha = clamp(0.5 - away, 0.0, 1.0) * thin.x * thin.y * opacity;
    float base = mix(area.w, 0.5 * (area.y + area.w), mirrored);
    float tall = size.y * (1.0 - 0.5 * mirrored);
    float along = clamp(abs(position.y - base) / tall, 0.0, 1.0);
    // The tip of a loud bar glows white-hot.
    float heat = paint.a * paint.a * along * along * along;
    vec3 body = paint.rgb * (0.45 + 0.4 * along + 0.25 * paint.a) + (0.7 * paint.rgb + 0.25) * heat;
    result = vec4(body * alpha, alpha);
#endif
}

#endif

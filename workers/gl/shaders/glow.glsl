// A light that is gone at the edge of its rectangle: a dot, a spark, a star or a bubble. Alpha
// stays 0: light is added.
#if defined(VERTEX)

in float breadth;       // half of the second axis in pixels
in vec3 colour;         // linear
out vec2 at;            // -1 … 1 along both axes
flat out vec3 paint;
flat out float half_px;

void main() {
    at = place_turned(breadth);
    paint = colour;
    half_px = breadth;
}

#else

in vec2 at;
flat in vec3 paint;
flat in float half_px;

void main() {
#if defined(STAR)
    // A heart of a third of the size, and four rays that are never thinner than a pixel.
    float core = max(1.0 - 8.0 * dot(at, at), 0.0);
    vec2 far = 1.0 - abs(at);
    vec2 slim = at / max(0.09, 1.1 / half_px);
    vec2 narrow = max(1.0 - slim * slim, 0.0);
    vec2 rays = far * far * far * narrow.yx;
    float light = core * core * 1.2 + 0.7 * (rays.x + rays.y) * min(1.0, half_px / 8.0);
#elif defined(RING)
    // A thin skin, brighter above on the left and a little below on the right.
    float away = length(at);
    float skin = max(0.13, 1.1 / half_px);
    float off = (away - 1.0 + skin) / skin;
    float edge = max(1.0 - off * off, 0.0);
    float side = dot(at, vec2(-0.6, -0.8));
    vec2 glint_at = (at - vec2(-0.38, -0.45)) * 5.5;
    float glint = max(1.0 - dot(glint_at, glint_at), 0.0);
    float light = edge * edge * (0.45 + 0.55 * side * side) + 0.6 * glint * glint;
#else
    float near = max(1.0 - dot(at, at), 0.0);
    float light = near * near * near;
#if defined(FLASH)
    // Steep at its heart: eyes see a disc where light falls off evenly.
    light /= 1.0 + 5.0 * dot(at, at);
#elif defined(SPARK)
    // Brightest at its head.
    float head = 0.5 + 0.5 * at.x;
    light *= 0.35 + 1.3 * head * head;
#endif
#endif
    result = vec4(paint * light, 0.0);
}

#endif

// The strip of felt along the hit line; with GLOWING the light of a pressed key on it.
uniform vec2 depth;     // unit vector from the hit line to the front of the keys

#if defined(VERTEX)

in vec4 colour;         // linear, not premultiplied
out vec2 position;
out vec2 at;            // -1 … 1 along the pitch axis, 0 … 1 from the line
flat out vec4 area;
flat out vec4 paint;

void main() {
    position = place(1.0);
    vec2 here = (position - box.xy) / (box.zw - box.xy);
    float deep = dot(here, abs(depth));
    at = vec2(dot(here, abs(depth.yx)) * 2.0 - 1.0, depth.x + depth.y > 0.0 ? deep : 1.0 - deep);
    area = box;
    paint = colour;
}

#else

in vec2 position;
in vec2 at;
flat in vec4 area;
flat in vec4 paint;

void main() {
    float fill = coverage(position, area) * shown(position);
#ifdef GLOWING
    float beside = max(1.0 - at.x * at.x, 0.0);
    float deep = max(1.0 - at.y, 0.0);
    result = vec4(paint.rgb * (paint.a * beside * beside * beside * deep * deep * fill), 0.0);
#else
    float nap = 1.0 + 0.45 * (1.0 - at.y) * (1.0 - at.y) - 0.45 * at.y * at.y;
    float alpha = paint.a * fill;
    result = vec4(paint.rgb * nap * alpha, alpha);
#endif
}

#endif

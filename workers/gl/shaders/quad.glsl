// Shared by all programs: a rectangle in pixels, y downwards, as the rows of a picture lie.
uniform vec2 frame;     // size of what is drawn into, in pixels

#if defined(VERTEX)

in vec2 corner;         // 0 or 1 each
in vec4 box;            // left, top, right, bottom

#ifdef CURVED
uniform vec4 curve;     // middle of the pitch axis, hit line, radius, and how far all is moved
uniform float turn;     // angle per pixel along the pitch axis
uniform vec2 ahead;     // towards where notes come from: 1 or -1 along the time axis, else 0

// Layout.bent, for every corner.
vec2 bent(vec2 position) {
    bool upright = ahead.y != 0.0;
    vec2 at = upright ? position : position.yx;
    float forward = -(ahead.x + ahead.y);
    float angle = (at.x - curve.x) * turn;
    float radius = curve.z - (curve.y - at.y) * forward;
    at = vec2(curve.x + radius * sin(angle),
              curve.y - forward * (curve.z - radius * cos(angle) + curve.w));
    return upright ? at : at.yx;
}

// How wide a place is beside what it would be by its angle, where notes keep their width on their
// way to a hill; to a smile they come from a point.
float kept(vec2 position) {
    float along = ahead.y != 0.0 ? position.y : position.x;
    float radius = curve.z + (curve.y - along) * (ahead.x + ahead.y);
    return curve.z < 0.0 ? min(curve.z / radius, 1.0) : 1.0;
}
#else
float kept(vec2 position) {
    return 1.0;
}
#endif

// Put a corner somewhere, in pixels of the straight stage.
vec2 put(vec2 position) {
#ifdef CURVED
    gl_Position = vec4(bent(position) / frame * 2.0 - 1.0, 0.0, 1.0);
#else
    gl_Position = vec4(position / frame * 2.0 - 1.0, 0.0, 1.0);
#endif
    return position;
}

// The same for a rectangle that may be turned: box is its middle and half of its one axis, as a
// vector; breadth is half of the other. The result is -1 to 1 along each.
vec2 place_turned(float breadth) {
    vec2 at = corner * 2.0 - 1.0;
    vec2 aside = vec2(-box.w, box.z) * (breadth / max(length(box.zw), 1e-6));
    vec2 position = box.xy + box.zw * at.x + aside * at.y;
    gl_Position = vec4(position / frame * 2.0 - 1.0, 0.0, 1.0);
    return at;
}

vec2 place(float margin) {
    return put(mix(box.xy - margin, box.zw + margin, corner));
}

#else

out vec4 result;        // linear light, premultiplied

#ifdef CURVED
uniform vec4 limits;    // of the stage: left, top, right, bottom before it was bent

// 0 for what lies beyond the part of the stage that may be seen, where no scissors can cut.
float shown(vec2 position) {
    vec2 in_there = step(limits.xy, position) * step(position, limits.zw);
    return in_there.x * in_there.y;
}
#else
float shown(vec2 position) {
    return 1.0;
}
#endif

#ifdef EDGED
uniform vec3 edges;     // left, right, and how far from them all has its full strength

// 0 beyond two sides, 1 well between them.
float edged(vec2 position) {
    return smoothstep(edges.x, edges.x + edges.z, position.x)
        * (1.0 - smoothstep(edges.y - edges.z, edges.y, position.x));
}
#else
float edged(vec2 position) {
    return 1.0;
}
#endif

// How much of the pixel at `position` a rectangle covers: exact for edges along the axes.
float coverage(vec2 position, vec4 box) {
    vec2 overlap = min(position + 0.5, box.zw) - max(position - 0.5, box.xy);
    overlap = clamp(overlap, 0.0, 1.0);
    return overlap.x * overlap.y;
}

// Signed distance in pixels to a rounded rectangle, negative inside.
float rounded(vec2 position, vec4 box, float radius) {
    vec2 half_size = (box.zw - box.xy) * 0.5;
    vec2 away = abs(position - (box.xy + box.zw) * 0.5) - half_size + radius;
    return length(max(away, 0.0)) + min(max(away.x, away.y), 0.0) - radius;
}

#endif

// What lies between a straight piece of a line and the lower edge of the box, on a piece of its own
// width: denser the higher it reaches.
uniform float upper;        // y at which it is densest
uniform float dense;        // how much it covers there
uniform float opacity;
uniform vec3 ends;          // left and right end, and over how many pixels it fades in from them

const float THIN = 0.08;    // how much it covers at the lower edge

#if defined(VERTEX)

in vec2 heights;        // y of the line at both sides
in vec3 colour;         // linear
out vec2 position;
flat out vec4 area;
flat out vec2 sides;
flat out vec3 paint;

void main() {
    position = place(0.0);
    area = box;
    sides = heights;
    paint = colour;
}

#else

in vec2 position;
flat in vec4 area;
flat in vec2 sides;
flat in vec3 paint;

void main() {
    float across = (position.x - area.x) / (area.z - area.x);
    float away = min(position.y - mix(sides.x, sides.y, across), area.w - position.y);
    float high = clamp((area.w - position.y) / (area.w - upper), 0.0, 1.0);
    float seen = min(position.x - ends.x, ends.y - position.x) / ends.z;
    seen = smoothstep(0.0, 1.0, seen) * opacity;
    result = vec4(paint, 1.0) * (clamp(away + 0.5, 0.0, 1.0) * mix(THIN, dense, high) * seen);
}

#endif

// A piece of a line through many points, as wide as the distance of two of them; the line reaches
// on to both sides. Distance is to the line as a whole, so its joints are round and not brighter.
// With GLOW it is but the light around it.
uniform float pitch;        // distance of points along x in pixels
uniform float half_width;   // of the line in pixels
uniform float halo;         // reach of the light around it in pixels
uniform float strength;     // of the light
uniform float opacity;
uniform vec3 ends;          // left and right end, and over how many pixels it fades in from them

const int BESIDE = 5;       // points to the left of the piece, and to the right

#if defined(VERTEX)

in vec4 lefts;          // y of the points, from the left
in vec4 middles;
in vec4 rights;
in vec4 colour;         // linear, and how brightly it shines
out vec2 position;
flat out vec4 area;
flat out vec4 first;
flat out vec4 second;
flat out vec4 third;
flat out vec4 paint;

void main() {
    position = place(0.0);
    area = box;
    first = lefts;
    second = middles;
    third = rights;
    paint = colour;
}

#else

in vec2 position;
flat in vec4 area;
flat in vec4 first;
flat in vec4 second;
flat in vec4 third;
flat in vec4 paint;

float squared(vec2 at, float left, float right) {
    vec2 way = vec2(pitch, right - left);
    vec2 from = vec2(at.x, at.y - left);
    vec2 off = from - way * clamp(dot(from, way) / dot(way, way), 0.0, 1.0);
    return dot(off, off);
}

void main() {
    float seen = min(position.x - ends.x, ends.y - position.x) / ends.z;
    seen = smoothstep(0.0, 1.0, seen) * opacity;
    float heights[12] = float[12](
        first.x, first.y, first.z, first.w, second.x, second.y, second.z, second.w,
        third.x, third.y, third.z, third.w);
    float nearest = 1e12;
    for (int i = 0; i < 11; i++) {
        vec2 at = vec2(position.x - area.x - float(i - BESIDE) * pitch, position.y);
        nearest = min(nearest, squared(at, heights[i], heights[i + 1]));
    }
    float away = sqrt(nearest) - half_width;
#ifdef GLOW
    float reach = clamp(1.0 - max(away, 0.0) / halo, 0.0, 1.0);
    result = vec4(paint.rgb * (strength * paint.a * reach * reach * reach * seen), 0.0);
#else
    // What is thinner than a pixel covers but a part of it.
    float line = clamp(0.5 - away, 0.0, 1.0) * min(1.0, 2.0 * half_width);
    float core = clamp(-away / max(half_width, 0.5), 0.0, 1.0) * paint.a;
    vec3 hot = (0.12 + 0.4 * core) * paint.a * (paint.rgb + 0.2);
    result = vec4(paint.rgb * (1.0 + 0.35 * paint.a) + hot, 1.0) * (line * seen);
#endif
}

#endif

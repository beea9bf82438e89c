// A piece of a ring that is played up to an angle. Its box is polar: angle and radius of both
// ends, so that pieces share their edges and cover little beside the ring.
uniform vec2 middle;        // in pixels
uniform float radius;       // of the middle of the line in pixels
uniform float half_width;   // of the line in pixels
uniform float now;          // how far it is played, 0 … 1, clockwise from the top
uniform vec4 done;          // colour of what is played: linear, not premultiplied
uniform vec4 rest;          // and of what is left
uniform float opacity;

const float TURN = 6.28318530718;

#if defined(VERTEX)

out vec2 position;

void main() {
    float angle = mix(box.x, box.z, corner.x);
    position = mix(box.y, box.w, corner.y) * vec2(sin(angle), -cos(angle));
    gl_Position = vec4((middle + position) / frame * 2.0 - 1.0, 0.0, 1.0);
}

#else

in vec2 position;

// How much of a pixel on the ring lies between 0 and the end.
float overlap(float along, float end) {
    return clamp(min(along + 0.5, end) - max(along - 0.5, 0.0), 0.0, 1.0);
}

void main() {
    float away = abs(length(position) - radius) - half_width;
    float line = clamp(0.5 - away, 0.0, 1.0) * min(1.0, 2.0 * half_width);
    float turn = TURN * radius;
    float along = atan(position.x, -position.y) * radius;
    along += along < 0.0 ? turn : 0.0;
    // Beside the top a pixel lies partly at the end of the turn, partly at its beginning.
    float end = now * turn;
    float played = overlap(along, end) + overlap(along - turn, end) + overlap(along + turn, end);
    vec4 paint = mix(rest, done, min(played, 1.0));
    float alpha = line * paint.a * opacity;
    result = vec4(paint.rgb * alpha, alpha);
}

#endif

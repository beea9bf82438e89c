// A key of the keyboard, at rest or lit.
uniform vec2 depth;     // unit vector from the hit line to the front of the keys
uniform float light;    // how far a pressed key takes its colour
uniform float black_px; // length of the black keys

#if defined(VERTEX)

in vec3 base;           // linear colour at rest
in vec4 lit;            // linear colour of the note, and how far it is lit, 0 … 1
in float black;         // 1: a black key
in vec2 shade;          // inner edges of the black keys beside a white one, along the pitch axis
out vec2 position;
flat out vec4 area;
flat out vec3 rest;
flat out vec4 glow;
flat out float dark;
flat out vec2 beside;

void main() {
    position = place(1.0);
    area = box;
    rest = base;
    glow = lit;
    dark = black;
    beside = shade;
}

#else

in vec2 position;
flat in vec4 area;
flat in vec3 rest;
flat in vec4 glow;
flat in float dark;
flat in vec2 beside;

void main() {
    vec2 size = area.zw - area.xy;
    float length_px = abs(dot(size, depth));
    float width_px = dot(size, 1.0 - abs(depth));
    vec2 from = mix(area.zw, area.xy, step(0.0, depth.x + depth.y));    // a corner on the hit line
    float along = dot(position - from, depth) / length_px;              // 0 at the line, 1 in front
    float side = dot(position - area.xy, 1.0 - abs(depth)) / width_px;  // 0 … 1 across

    // Round only the corners in front: the shape goes on behind the hit line.
    vec4 shape = area;
    shape.xy -= max(depth, 0.0) * width_px;
    shape.zw += max(-depth, 0.0) * width_px;
    float away = rounded(position, shape, width_px * mix(0.10, 0.16, dark));
    float behind = clamp(along * length_px + 0.5, 0.0, 1.0);
    float fill = clamp(0.5 - away, 0.0, 1.0) * behind;

    float lip = smoothstep(-0.10 * width_px, 0.0, away);                // the rounded edge
    vec3 white_key = rest * (0.70 + 0.30 * smoothstep(0.0, 0.30, along));
    white_key *= 1.0 - 0.22 * lip - 0.10 * smoothstep(0.955, 0.97, along);

    // A black key has a bevel: a flat top, bright towards its front edge, and steep sides.
    float top = smoothstep(0.02, 0.16, side) * (1.0 - smoothstep(0.84, 0.98, side));
    float front = smoothstep(0.88, 0.90, along);
    vec3 black_key = rest * (0.55 + 0.75 * top) + 0.030 * top * smoothstep(0.25, 0.88, along);
    black_key = mix(black_key, rest * 0.8 + 0.012, front);

    vec3 body = mix(white_key, black_key, dark);
    float pressed = glow.a * light;
    vec3 shine = glow.rgb * (1.12 - 0.30 * along) * (1.0 - 0.25 * lip);
    shine = mix(shine, shine * (0.55 + 0.45 * top), dark);
    body = mix(body, shine, pressed);

    // The shadows of the black keys beside a white one, cast here so that any key can be drawn
    // again alone.
    float place_px = dot(position, 1.0 - abs(depth));
    float ahead = along * length_px - black_px;
    float reach = 0.14 * width_px;
    float near = min(length(max(vec2(place_px - beside.x, ahead), 0.0)),
                     length(max(vec2(beside.y - place_px, ahead), 0.0)));
    float shadow = 0.5 * clamp(1.0 - near / reach, 0.0, 1.0);
    body *= 1.0 - shadow * (1.0 - dark);
    result = vec4(body * fill, fill);
}

#endif

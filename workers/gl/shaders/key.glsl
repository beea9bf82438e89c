// A white key, or with BLACK a black one, at rest or pressed.
// The light comes from above on the left.
uniform vec2 depth;     // unit vector from the hit line to the front of the keys
uniform float light;    // how far a pressed key takes its colour
#ifndef BLACK
uniform float black_px; // length of the black keys
#endif

#if defined(VERTEX)

in vec3 base;           // linear colour at rest
in vec4 lit;            // linear colour of the note, and how far the key is down, 0 … 1
in float heat;          // 1 just struck … 0
in vec3 low_spill;      // light from pressed keys around, at its lower edge
in vec3 high_spill;     // the same at the other
#ifndef BLACK
in vec2 shade;          // inner edges of the black keys beside it, along the pitch axis
#endif
out vec3 spot;          // in the frame, and 0 … 1 from edge to edge
flat out vec4 area;
flat out vec3 rest;
flat out vec4 glow;
flat out float fresh;
flat out vec2 beside;
out vec3 spilt;

void main() {
    vec2 position = place(1.0);
    float side = dot(position - box.xy, abs(depth.yx)) / dot(box.zw - box.xy, abs(depth.yx));
    spot = vec3(position, side);
    area = box;
    rest = base;
    glow = lit;
    fresh = heat;
#ifdef BLACK
    beside = vec2(0.0);
#else
    beside = shade;
#endif
    spilt = mix(low_spill, high_spill, side);
}

#else

in vec3 spot;
flat in vec4 area;
flat in vec3 rest;
flat in vec4 glow;
flat in float fresh;
flat in vec2 beside;
in vec3 spilt;

void main() {
    vec2 position = spot.xy;
    float side = spot.z;
    vec2 size = area.zw - area.xy;
    float length_px = abs(dot(size, depth));
    float width_px = dot(size, abs(depth.yx));
    vec2 from = mix(area.zw, area.xy, step(0.0, depth.x + depth.y));    // a corner on the hit line
    float along_px = dot(position - from, depth);
    float along = along_px / length_px;                                 // 0 at the line, 1 in front
    float down = glow.a;

    // Round only the corners in front: the shape goes on behind the hit line.
    vec4 shape = area;
    shape.xy -= max(depth, 0.0) * width_px;
    shape.zw += max(-depth, 0.0) * width_px;
    float away = rounded(position, shape, 0.12 * width_px);
    float fill = clamp(0.5 - away, 0.0, 1.0) * clamp(along_px + 0.5, 0.0, 1.0);
    float soft = 1.0 / max(0.012 * length_px, 1.0);
    float hot = clamp(1.0 - along / 0.38, 0.0, 1.0);

    // The colour of its note, as if the key were lit from the line; white-hot there at the strike.
    vec3 shine = glow.rgb * (1.15 - 0.38 * along)
               + (glow.rgb * 0.7 + 0.10) * (fresh * hot * hot);
#ifdef BLACK
    // A flat top with a long highlight, steep sides, and a slope in front.
    float crest = mix(0.865, 0.915, down);
    float past = (along - crest) * length_px * soft;
    float front = clamp(past + 0.5, 0.0, 1.0);
    float top = smoothstep(0.05, 0.17, side) * (1.0 - smoothstep(0.83, 0.95, side));
    float streak = clamp(1.0 - abs(side - 0.30) / 0.17, 0.0, 1.0);
    streak *= streak * along * (1.0 - front);
    float ridge = clamp(1.0 - 0.7 * abs(past), 0.0, 1.0) * top;
    float slope = mix(0.55 + 0.60 * top, 0.95 - 3.0 * (along - crest), front) - 0.25 * side;
    float gloss = 0.004 + 0.080 * streak * (1.0 - 0.6 * down) + 0.045 * ridge
                + 0.012 * top * along + 0.03 * front * (1.0 - 7.0 * (along - crest));
    vec3 body = rest * slope + max(gloss, 0.0);
    shine *= slope * 0.72 + 0.22 + 0.8 * gloss;
    float walled = 1.0 - 0.55 * top + 0.5 * ridge;
#else
    // The fallboard's shadow at the back, a lip in front, shorter when it is down, and the walls
    // of its neighbours above it then.
    float brim = smoothstep(-0.09 * width_px, 0.0, away);
    float past = (along - mix(0.955, 0.982, down)) * length_px * soft;
    float lip = clamp(past + 0.5, 0.0, 1.0);
    float back = smoothstep(0.0, 0.36, along);
    float walls = clamp(1.0 - min(side, 1.0 - side) / 0.16, 0.0, 1.0) * down * (1.0 - lip);
    float white = (0.58 + 0.42 * back) * (1.0 - 0.17 * brim) * (1.0 - 0.35 * lip);
    white *= 1.0 - 0.5 * walls * walls;
    float polish = 0.022 * back * (1.0 - side)
                 + 0.05 * (1.0 - lip) * clamp(past / 3.5 + 1.0, 0.0, 1.0);
    vec3 body = rest * white + polish * (0.3 + rest);
    shine *= (1.0 - 0.20 * brim) * (1.0 - 0.38 * lip) * (1.0 - 0.35 * walls);
    float walled = 1.0;
#endif
    body = mix(body, shine, down * light);

    // Light from pressed keys around: it tints what is light and lifts what is dark.
    vec3 spill = spilt * (walled * (1.0 - down) * (1.0 - 0.75 * along));
    float most = max(max(spill.r, spill.g), max(spill.b, 1e-4));
    body *= 1.0 - 0.75 * (1.0 - spill / most) * min(most, 1.0);
    body += spill * (0.22 + 0.25 * body);

#ifndef BLACK
    // The shadows of the black keys beside it, cast here so that any key can be drawn again alone.
    float place_px = dot(position, abs(depth.yx));
    float ahead = along_px - black_px;
    vec2 low = max(vec2(place_px - beside.x, ahead) / vec2(0.20, 0.15), 0.0);
    vec2 high = max(vec2(beside.y - place_px, ahead) / vec2(0.07, 0.15), 0.0);
    float near = sqrt(min(dot(low, low), dot(high, high)));
    float shadow = clamp(1.0 - near / width_px, 0.0, 1.0);
    body *= 1.0 - 0.62 * shadow * shadow;
#endif
    result = vec4(body * fill, fill);
}

#endif

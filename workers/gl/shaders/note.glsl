// A note: a bar, or with SHAPE_… another shape, and a halo of light while it sounds.
uniform float halo;     // reach of the light in pixels
uniform float strength; // of the light
uniform float sheen;    // strength of the highlight
uniform float outline;  // 1: only the edge is filled
uniform float opacity;
uniform float rounding; // of the corners, as a fraction of the width
uniform vec2 depth;     // unit vector towards the end that is struck

#if defined(VERTEX)

in vec3 colour;         // linear
in float sounding;      // 0 silent … 1 just struck
in float seen;          // pixels from the end that is struck on, beyond which others cover it
out vec4 spot;          // in the frame; pixels from the middle of the lane and the end struck
flat out vec4 area;
flat out vec3 paint;
flat out vec4 lit;      // sounding, seen, width and length

void main() {
    float margin = sounding > 0.0 ? halo + 1.0 : 1.0;
    vec2 at = mix(box.xy - margin, box.zw + margin, corner);
    vec2 struck = mix(box.xy, box.zw, max(depth, 0.0));
    vec2 position = at + depth * max(dot(struck - at, depth) - seen, 0.0);
    vec2 across = abs(depth.yx);
    float side = dot(position - 0.5 * (box.xy + box.zw), across);
    put(position - across * (side * (1.0 - kept(position))));
    spot = vec4(position, side, dot(struck - position, depth));
    area = box;
    paint = colour;
    lit = vec4(sounding, seen, dot(box.zw - box.xy, across), dot(box.zw - box.xy, abs(depth)));
}

#else

in vec4 spot;
flat in vec4 area;
flat in vec3 paint;
flat in vec4 lit;

void main() {
    vec2 position = spot.xy;
    float side = spot.z, behind = spot.w, width = lit.z, long_px = lit.w;
    vec2 size = area.zw - area.xy;
    float sounding = lit.x;
    float thin = 1.0;                                       // alpha of what is filled

#if defined(SHAPE_GEM)
    // A rectangle with cut corners; the facets around its flat top face four sides and corners.
    vec2 half_size = 0.5 * size, from = position - 0.5 * (area.xy + area.zw);
    float narrow = min(size.x, size.y);
    float cut = min(rounding * width, 0.5 * narrow);
    vec2 over = abs(from) - half_size;
    float slant = (over.x + over.y + cut) * 0.70711;
    float away = max(max(over.x, over.y), slant);
    float lamp = away;
    // The light comes from above on the left.
    vec2 faces = sign(from) * vec2(-0.55, -0.83);
    vec3 share = vec3(over - max(over.yx, slant), slant - max(over.x, over.y));
    share = clamp(share + 0.5, 0.0, 1.0);
    float facing = dot(share, vec3(faces, (faces.x + faces.y) * 0.70711))
                 / (share.x + share.y + share.z);
    float bevel = min(0.24 * width, 0.36 * narrow);
    float facet = clamp(away + bevel + 0.5, 0.0, 1.0);
    // The top mirrors the sky, parted by a slanted edge; the far side of it is in the dark.
    float sky = clamp(0.5 - (from.x * 0.8 + from.y * 0.6) + 0.08 * width, 0.0, 1.0);
    float shade = 1.0 + sheen * mix(0.55 * sky - 0.25, 1.25 * facing - 0.15, facet);
    vec3 body = paint * max(shade, 0.2);
    float glint = max(facing, 0.0);
    body += sheen * mix(0.05 * sky, 0.30 * glint * glint, facet);
    float rim = facet;
    float heat = 1.0 - 0.35 * facet;
#elif defined(SHAPE_COMET)
    // A round head where it is struck, and a tail that narrows and fades until the note's end.
    float r = 0.5 * width;
    float flat_r = max(min(r, 0.5 * long_px), 0.01);
    float t = clamp((behind - flat_r) / max(long_px - flat_r, 1.0), 0.0, 1.0);
    vec2 ball = vec2(side / r, (behind - flat_r) / flat_r);
    float away_ball = max((length(ball) - 1.0) * flat_r, length(vec2(side, behind - flat_r)) - r);
    // It leaves the head without a kink; distance is across its edge, which may be steep.
    float slope = 5.4 * r * t * (1.0 - t) / max(long_px - flat_r, 1.0);
    float tail = (abs(side) - r * mix(1.0, 0.10, t * t * (3.0 - 2.0 * t)))
               * inversesqrt(1.0 + slope * slope);
    float away_tail = max(tail, behind - long_px);
    float away = behind < flat_r ? away_ball : away_tail;
    float lamp = max(away_ball, away - 0.35 * halo);
    float core = clamp(1.0 - length(vec2(side, 0.55 * (behind - 0.8 * flat_r))) / r, 0.0, 1.0);
    vec3 body = paint * (0.92 + 0.25 * core) + (paint * 0.9 + 0.42) * (sheen * 2.0 * core * core);
    float rim = smoothstep(-0.18 * width, 0.0, away);
    thin = 0.10 + 0.90 * (1.0 - t) * (1.0 - t);
    float heat = 0.5 + 0.5 * core;
#elif defined(SHAPE_BEAD)
    // A ball where it is struck, on a thread that is as long as the note.
    float r = 0.5 * width;
    float flat_r = max(min(r, 0.5 * long_px), 0.01);
    vec2 ball = vec2(side / r, (behind - flat_r) / flat_r);
    float square = dot(ball, ball);
    float away_ball = max((sqrt(square) - 1.0) * flat_r, length(vec2(side, behind - flat_r)) - r);
    float away_thread = max(abs(side) - max(0.055 * width, 0.7),
                            max(behind - long_px, flat_r - behind));
    float away = min(away_ball, away_thread);
    float lamp = away_ball;
    float in_ball = clamp(0.5 - away_ball, 0.0, 1.0);
    // A glossy ball under a lamp above on the left.
    vec3 normal = vec3(abs(depth.yx) * ball.x - depth * ball.y, sqrt(max(1.0 - square, 0.0)));
    float facing = dot(normal, vec3(-0.45, -0.60, 0.66));
    float gloss = max(dot(normal, vec3(-0.26, -0.36, 0.896)), 0.0);
    gloss *= gloss; gloss *= gloss; gloss *= gloss;
    float spark = smoothstep(0.55, 0.95, gloss);
    vec3 body = paint * (1.0 + sheen * (1.1 * facing - 0.75));
    body += sheen * (0.95 * spark + 0.10 * gloss);
    body += paint * (sheen * 0.5 * square * square * max(0.3 - facing, 0.0));  // light from below
    body = mix(paint * 0.85, body, in_ball);
    float rim = smoothstep(-0.18 * width, 0.0, away);
    thin = mix(0.8, 1.0, in_ball);
    float heat = mix(1.0, 0.55 + 0.45 * max(facing, 0.0), in_ball);
#else
    float away = rounded(position, area, min(rounding * width, 0.5 * min(size.x, size.y)));
    float lamp = away;
    float rim = smoothstep(-0.16 * width, 0.0, away);       // 1 at the edge
    // Light falls from the low side, and most on the end that leads.
    float low = side / width;
    float lead = max(1.0 - behind / (1.6 * width), 0.0);
    vec3 body = paint * (1.0 + sheen * (0.30 * lead * lead - 0.62 * low));
    body += (paint * 0.9 + 0.06) * (sheen * rim * rim);
    float heat = 1.0;
#endif

    // A pixel is not covered by more than there is of a note.
    float fill = min(clamp(0.5 - away, 0.0, 1.0), coverage(position, area));
    // A sounding note is lit from within.
    body = mix(body, paint * 1.55 + 0.10, 0.75 * sounding * heat);
    float inside = mix(1.0, max(rim, 0.16 + 0.5 * sounding), outline) * thin;

    float reach = clamp(1.0 - lamp / halo, 0.0, 1.0);
    reach *= clamp((lit.y - behind) / halo, 0.0, 1.0);      // what covers it shines on by itself
    float light = strength * sounding * reach * reach * reach * (1.0 - fill);
    float alpha = fill * inside * opacity;
    result = vec4(body * alpha + paint * light, alpha) * shown(position);
}

#endif

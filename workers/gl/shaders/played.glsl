// A rounded bar that is played up to a place, or with GLOW only the light around what is played.
uniform float now_px;       // up to where it is played
uniform vec4 done;          // colour of what is played: linear, not premultiplied
uniform vec4 rest;          // and of what is left
uniform float warm_px;      // way behind that place over which the heat of the moment fades
uniform float heat;         // how much brighter it is there
uniform float halo;         // reach of the light in pixels
uniform float strength;     // of the light
uniform float opacity;
uniform vec3 ends;          // left and right end of all bars, and how long they take to fade in

#if defined(VERTEX)

out vec2 position;
flat out vec4 area;

void main() {
#ifdef GLOW
    position = place(halo);
#else
    position = place(1.0);
#endif
    area = box;
}

#else

in vec2 position;
flat in vec4 area;

void main() {
    vec2 size = area.zw - area.xy;
    float away = rounded(position, area, 0.5 * min(size.x, size.y));
    float played = clamp(now_px - position.x + 0.5, 0.0, 1.0);
    float warmth = exp(-max(now_px - position.x, 0.0) / warm_px);
    float inside = min(position.x - ends.x, ends.y - position.x) / max(ends.z, 1.0);
    float seen = ends.z > 0.0 ? smoothstep(0.0, 1.0, inside) : 1.0;
#ifdef GLOW
    float reach = clamp(1.0 - max(away, 0.0) / halo, 0.0, 1.0);
    // Light is not cut off where what is played ends.
    float near = clamp(1.0 - (position.x - now_px) / halo, 0.0, 1.0);
    near = position.x > now_px ? near * near * step(area.x, now_px) : 1.0;
    float light = strength * reach * reach * reach * near * (0.45 + heat * warmth);
    result = vec4(done.rgb * (light * done.a * opacity * seen), 0.0);
#else
    vec4 paint = mix(rest, done, played);
    float alpha = clamp(0.5 - away, 0.0, 1.0) * min(size.x, 1.0) * min(size.y, 1.0);
    alpha *= paint.a * opacity * seen;
    vec3 body = paint.rgb + (0.6 * paint.rgb + 0.3) * (heat * warmth * played);
    result = vec4(body * alpha, alpha);
#endif
}

#endif

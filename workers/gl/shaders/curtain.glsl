// A piece of a curtain of northern light: a strip whose lower edge runs from one height to another.
uniform sampler2D picture;  // one row: the light from below the edge to the top of the curtain
uniform float below;        // part of that row which lies below the edge

#if defined(VERTEX)

in vec4 edge;           // heights of the lower edge left and right, and lengths of the rays there
in vec2 glow;           // brightness left and right
out vec2 position;
flat out vec4 area;
flat out vec4 hem;
flat out vec2 bright;

void main() {
    position = place(1.0);
    area = box;
    hem = edge;
    bright = glow;
}

#else

in vec2 position;
flat in vec4 area;
flat in vec4 hem;
flat in vec2 bright;

void main() {
    float along = clamp((position.x - area.x) / max(area.z - area.x, 1e-4), 0.0, 1.0);
    float height = (mix(hem.x, hem.y, along) - position.y) / mix(hem.z, hem.w, along);
    vec3 light = texture(picture, vec2(below + height * (1.0 - below), 0.5)).rgb;
    // Folds are narrower than a pixel: only so do they keep their light.
    float cover = clamp(min(position.x + 0.5, area.z) - max(position.x - 0.5, area.x), 0.0, 1.0);
    result = vec4(light * (mix(bright.x, bright.y, along) * cover), 0.0);
}

#endif

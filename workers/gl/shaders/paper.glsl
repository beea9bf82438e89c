// A sheet of paper with a shadow around it.
uniform float reach;    // of the shadow in pixels

#if defined(VERTEX)

in vec4 colour;         // linear, not premultiplied
in float shade;         // strength of the shadow
out vec2 position;
flat out vec4 area;
flat out vec4 paint;
flat out float dark;

void main() {
    position = place(reach);
    area = box;
    paint = colour;
    dark = shade;
}

#else

in vec2 position;
flat in vec4 area;
flat in vec4 paint;
flat in float dark;

void main() {
    float cover = coverage(position, area);
    float near = clamp(1.0 - rounded(position, area, 0.0) / reach, 0.0, 1.0);
    float alpha = paint.a * cover;
    result = vec4(paint.rgb * alpha, alpha + dark * near * near * (1.0 - cover));
}

#endif

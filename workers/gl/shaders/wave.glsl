// A ring that runs outwards: sharp in front, soft behind. Alpha stays 0: light is added.
#if defined(VERTEX)

in float breadth;       // half of the second axis in pixels
in vec3 colour;         // linear
in vec2 shape;          // radius beside that of the rectangle, and width of the ring beside it
out vec2 at;            // -1 … 1 along both axes
flat out vec3 paint;
flat out vec2 form;
flat out vec2 half_px;

void main() {
    at = place_turned(breadth);
    paint = colour;
    form = shape;
    half_px = vec2(length(box.zw), breadth);
}

#else

in vec2 at;
flat in vec3 paint;
flat in vec2 form;
flat in vec2 half_px;

void main() {
    float away = length(at);
    // What a pixel is here, on a ring that lies flat: its width is foreshortened like itself.
    float pixel = length(at / half_px) / max(away, 1e-4);
    float ahead = away - form.x;
    float front = max(form.y * 0.35, 1.1 * pixel), back = max(form.y * 1.4, 1.1 * pixel);
    float off = ahead / (ahead > 0.0 ? front : back);
    float ring = max(1.0 - off * off, 0.0);
    // Thinner than a pixel it is dimmer. Within it there is a breath of light.
    float thin = min(1.0, form.y / pixel);
    float within = ahead < 0.0 ? away / max(form.x, 1e-4) : 0.0;
    float light = ring * ring * thin + 0.10 * within * within * within;
    result = vec4(paint * light, 0.0);
}

#endif

// Light at the place and moment of a strike. Alpha stays 0: light is added.
#if defined(VERTEX)

in vec4 colour;         // linear colour of the note, and the brightness of the flash
out vec2 place_in;      // -1 … 1 across the box
flat out vec4 paint;

void main() {
    place(0.0);
    place_in = corner * 2.0 - 1.0;
    paint = colour;
}

#else

in vec2 place_in;
flat in vec4 paint;

void main() {
    float away = dot(place_in, place_in);
    float edge = max(1.0 - away, 0.0);
    float bloom = edge * edge * edge;
    float core = pow(edge, 14.0);
    // The core is white-hot at the strike and takes the colour of the note as it cools.
    vec3 heart = mix(paint.rgb, vec3(1.0), min(0.85, 0.9 * paint.a));
    result = vec4(paint.a * (paint.rgb * bloom * 0.9 + heart * core), 0.0);
}

#endif

// Clouds of glowing gas with lanes of dust before them, from a tile of cloudy noise: red, green
// and blue are clouds, alpha is a web of ridges.
uniform sampler2D picture;
uniform vec4 drifts[3];     // how far the layers of noise have drifted, two to a row
uniform vec2 unit;          // size of a pixel, in tiles
uniform vec3 colours[3];    // from within outwards, linear

#if defined(VERTEX)

out vec2 position;

void main() {
    position = place(0.0) * unit;
}

#else

in vec2 position;

void main() {
    // Clouds that are pushed about by other clouds curl.
    vec2 push = texture(picture, position * 0.55 + drifts[0].xy).rg - 0.5;
    vec2 pushed = position + push * 0.34;
    vec4 wide = texture(picture, pushed * 0.7 + drifts[0].zw);
    vec4 fine = texture(picture, pushed * 1.7 + push * 0.15 + drifts[1].xy);
    float hue = texture(picture, position * 0.45 + push * 0.35 + drifts[1].zw).g;
    float dust = texture(picture, pushed * 1.05 - push * 0.25 + drifts[2].xy).a;
    float gas = wide.b * 0.74 + fine.r * 0.26;
    gas = clamp((gas - 0.36) * 2.3, 0.0, 1.0);
    float web = fine.a * fine.a;
    float heart = clamp((wide.b * 0.8 + fine.g * 0.2 - 0.60) * 3.0, 0.0, 1.0);
    dust = clamp((dust - 0.50) * 2.4, 0.0, 1.0);
    vec3 outer = mix(colours[1], colours[2], clamp((hue - 0.36) * 3.6, 0.0, 1.0));
    vec3 light = outer * (gas * gas * (0.28 + 0.55 * web));
    light += mix(colours[0], outer, 0.3) * (heart * (0.14 + 0.75 * fine.r * heart));
    light += outer * (0.03 * wide.r);
    result = vec4(light * (1.0 - 0.85 * dust), 0.0);
}

#endif

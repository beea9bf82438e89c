// What an image casts around itself: a soft shadow, and light.
uniform sampler2D mask;     // red: the shape softened a little; green: the light around it
uniform vec2 middle;        // of the image, in pixels
uniform vec2 reach;         // half the width and height of what the mask holds, in pixels
uniform vec2 turn;          // cosine and sine of its angle
uniform vec2 fall;          // how far the shadow falls
uniform float shadow;       // its darkness
uniform vec3 glow;          // linear

#if defined(VERTEX)

out vec2 lit;               // places in the mask
out vec2 shaded;

vec2 upright(vec2 from) {
    vec2 turned = vec2(turn.x * from.x + turn.y * from.y, turn.x * from.y - turn.y * from.x);
    return turned / reach * 0.5 + 0.5;
}

void main() {
    vec2 from = place(0.0) - middle;
    lit = upright(from);
    shaded = upright(from - fall);
}

#else

in vec2 lit;
in vec2 shaded;

void main() {
    result = vec4(texture(mask, lit).g * glow, texture(mask, shaded).r * shadow);
}

#endif

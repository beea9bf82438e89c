// What a platform takes, from the presets that are made for it. Pure.

/** Platforms to choose from, as choices. */
export function platformChoices(presets, titles) {
  const names = new Set(presets.map((each) => each.config.socialMedia?.platform).filter(Boolean));
  return [...names].map((value) => ({ value, title: titles[value], reason: null }));
}

/**
 * The limits of a platform for a picture of some shape: those of its preset that is nearest.
 *
 * @param {object[]} presets
 * @param {string|null} platform Null for no limits.
 * @param {object} config Whose picture it is.
 */
export function limitsOf(presets, platform, config) {
  if (platform === null) return null;
  const wanted = ratio(config);
  const found = presets
    .filter((each) => each.config.socialMedia?.platform === platform)
    .toSorted((a, b) => Math.abs(ratio(a.config) - wanted) - Math.abs(ratio(b.config) - wanted));
  const limits = structuredClone(found[0].config.socialMedia);
  // What was said of videos that are too long was said of this one.
  if (config.socialMedia) limits.tooLong = config.socialMedia.tooLong;
  return limits;
}

const ratio = ({ quality }) => Math.log(quality.resolution.width / quality.resolution.height);

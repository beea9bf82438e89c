// The platforms, in their own words.

/** How platforms write themselves, in the order in which they are offered. */
export const PLATFORM_TITLES = {
  youtube: "YouTube",
  instagram: "Instagram",
  tiktok: "TikTok",
  twitter: "X",
  facebook: "Facebook",
  spotify: "Spotify",
  soundcloud: "SoundCloud",
  bandcamp: "Bandcamp",
  twitch: "Twitch",
  website: "Website",
};

/** The platforms of presets, each with its presets, in their order. */
export function byPlatform(presets) {
  const groups = new Map();
  for (const preset of presets) {
    const platform = preset.config.socialMedia?.platform;
    if (!platform) continue; // a place to start from, for no platform
    if (!groups.has(platform)) groups.set(platform, []);
    groups.get(platform).push(preset);
  }
  return groups;
}

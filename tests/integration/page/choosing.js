// Chooses at random in the form of an export's settings, as somebody may who tries everything.
//
// Gives all configurations that came of it, and those that the form would not allow to be chosen.
async ({ folder, seed, steps }) => {
  const load = (path) => import(`${folder}/${path}`);
  const [{ get }, { fitting }, { SETTINGS }, { limitsOf, platformChoices }] = await Promise.all(
    ["api.js", "create/fitting.js", "create/custom_settings.js", "create/custom_platform.js"].map(
      load,
    ),
  );
  const [{ presets }, formats] = await Promise.all([get("/presets"), get("/formats")]);
  const fit = fitting(formats);
  const chance = mulberry32(seed);
  const between = (least, most) => least + Math.floor(chance() * (most - least + 1));
  const one = (list) => list[between(0, list.length - 1)];
  const made = new Set();
  const refused = new Set();

  function written(config, path, value) {
    const [name, ...rest] = path.split(".");
    const inner = rest.length === 0 ? value : written(config[name], rest.join("."), value);
    return { ...config, [name]: inner };
  }

  /** What a control may be set to; undefined where it is out of sight or locked. */
  function valueFor({ path, when, told, options = {}, unit, kind }, config, facts, choices) {
    if (when && !when(facts, config)) return undefined;
    if (path in fit.locks(config)) return undefined;
    const { choices: own, ...limits } = { ...options, ...told?.(facts, config) };
    const list = choices[path] ?? own;
    if (list) {
      const none = options.none ? [{ value: null, reason: null }] : [];
      return one([...none, ...list].filter((each) => each.reason === null)).value;
    }
    if (kind.name === "switchField") return chance() < 0.5;
    if (kind.name !== "numberField") return undefined;
    if (limits.mayBeEmpty && chance() < 0.3) return null;
    const value = between(Math.ceil(limits.least ?? 0), Math.floor(limits.most ?? 1_000_000));
    return unit ? unit.write(value) : value;
  }

  function changed(config) {
    const facts = fit.facts(config);
    const choices = {
      ...fit.choices(config),
      "socialMedia.platform": platformChoices(presets, {}),
    };
    for (const { path, when } of SETTINGS) {
      if (when && !when(facts, config)) continue;
      for (const { value, reason } of choices[path] ?? []) {
        if (reason) refused.add(JSON.stringify(written(config, path, value)));
      }
    }
    if (facts.rate !== null && chance() < 0.1) {
      const crf = between(facts.rate.crf_min, facts.rate.crf_max);
      const kbps = between(1, 800_000);
      const rate = one([{ crf, bitrate: null }, { crf: null, bitrate: kbps }, { crf, bitrate: kbps }]);
      return { ...config, quality: { ...config.quality, ...rate } };
    }
    if (chance() < 0.05) {
      const resolution = { width: 2 * between(8, 4096), height: 2 * between(8, 4096) };
      return written(config, "quality.resolution", resolution);
    }
    const setting = one(SETTINGS);
    const value = valueFor(setting, config, facts, choices);
    if (value === undefined) return config;
    if (setting.path === "transparent") return fit.withTransparency(config, value);
    if (setting.path === "socialMedia.platform") {
      return { ...config, socialMedia: limitsOf(presets, value, config) };
    }
    return written(config, setting.path, value);
  }

  let config = null;
  for (let step = 0; step < steps; step += 1) {
    // With every preset anew: platforms take little, and keep one from most of it.
    if (step % 100 === 0) ({ config } = presets.at(-1 - (step % 300 === 0 ? 0 : between(0, presets.length - 1))));
    config = fit.settle(config, changed(config)).config;
    made.add(JSON.stringify(config));
  }
  return [made, refused].map((found) => `[${[...found].join()}]`);

  /** Numbers that are the same for the same seed; by Tommy Ettinger, public domain. */
  function mulberry32(state) {
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  }
}

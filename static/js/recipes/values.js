// Convert the values of the recipe form to a recipe and back: pure functions on plain objects.

/** @typedef {Record<string, any>} Recipe a recipe as the API's JSON */
/** @typedef {Record<string, string | boolean>} Values the form's fields by name; percentages as whole numbers */

/** The fields of each kind of background, and of a shadow, by their names in the API. */
const BACKGROUNDS = /** @type {Record<string, string[]>} */ ({
  transparent: [],
  color: ["color"],
  gradient: ["start", "end", "angle"],
  picture: ["picture", "fit"],
  blur: ["strength"],
});
const NUMBERS = new Set(["angle", "elevation", "direction"]);
const PERCENTAGES = new Set(["strength", "softness", "distance"]);

/**
 * Return the recipe that the form describes. Values without a field in the form are taken from `base`.
 * @param {Values} values
 * @param {Values[]} outputs one entry for each file
 * @param {Recipe} base
 * @returns {Recipe}
 */
export function recipeOf(values, outputs, base) {
  return {
    ...base,
    title: String(values.title).trim() || "…",
    canvas: canvasOf(values, base.canvas ?? {}),
    placement: {
      ...base.placement,
      fill: values["placement.frames"] ? null : share(values["placement.fill"]),
      fill_by: values["placement.fill_by"],
      align: values["placement.align"],
      margin: share(values["placement.margin"]),
    },
    background: partOf(
      values,
      "background",
      BACKGROUNDS[String(values["background.type"])] ?? [],
      base.background?.type === values["background.type"] ? base.background : {},
    ),
    shadow: shadowOf(values, base.shadow),
    outline:
      Number(values["outline.width"]) > 0
        ? { width: Number(values["outline.width"]) / 1000, color: values["outline.color"] }
        : null,
    edges: {
      key: values["edges.key"],
      despill: values["edges.despill"],
      light_wrap: share(values["edges.light_wrap"]),
      match_grain: values["edges.match_grain"],
    },
    holes: values.holes,
    outputs: outputs.map((output, index) => outputOf(output, base.outputs?.[index] ?? {})),
  };
}

/**
 * Return the form's values for a recipe. Recipes from the API contain all defaults.
 * @param {Recipe} recipe
 * @returns {{ values: Values, outputs: Values[] }}
 */
export function valuesOf(recipe) {
  const { background, shadow, outline, edges } = recipe;
  /** @type {Values} */
  const values = {
    title: recipe.title,
    holes: recipe.holes,
    ...canvasValues(recipe.canvas),
    ...placementValues(recipe.placement),
    "background.type": background.type,
    "shadow.type": shadow ? shadow.type : "none",
    "outline.width": outline ? String(Math.round(outline.width * 1000)) : "0",
    "outline.color": outline ? outline.color : "#ffffff",
    "edges.key": edges.key,
    "edges.despill": edges.despill,
    "edges.light_wrap": percent(edges.light_wrap),
    "edges.match_grain": edges.match_grain,
    ...partValues("background", background),
    ...partValues("shadow", shadow ?? {}),
  };
  return { values, outputs: recipe.outputs.map(outputValues) };
}

/**
 * @param {Recipe} canvas
 * @returns {Values}
 */
function canvasValues(canvas) {
  const kind = canvas.aspect ? "aspect" : "frame";
  return {
    "canvas.kind": canvas.width_px ? "pixels" : kind,
    "canvas.width_px": String(canvas.width_px ?? 1200),
    "canvas.height_px": String(canvas.height_px ?? 1200),
    "canvas.aspect": canvas.aspect ?? "1:1",
  };
}

/**
 * @param {Recipe} placement
 * @returns {Values}
 */
function placementValues(placement) {
  return {
    "placement.frames": placement.fill === null,
    "placement.fill": percent(placement.fill ?? 0.85),
    "placement.fill_by": placement.fill_by,
    "placement.align": placement.align,
    "placement.margin": percent(placement.margin),
  };
}

/**
 * @param {string} part
 * @param {Recipe} values
 * @returns {Values}
 */
function partValues(part, values) {
  const known = Object.entries(values).filter(([name, value]) => !["type", "focus"].includes(name) && value !== null);
  return Object.fromEntries(known.map(([name, value]) => [`${part}.${name}`, shown(name, value, part)]));
}

/**
 * Return an unused name for a copy of a recipe.
 * @param {string} name
 * @param {string[]} taken
 * @returns {string}
 */
export function freeName(name, taken) {
  const stem = name.slice(0, 36);
  let number = 2;
  while (taken.includes(`${stem}-${number}`)) number += 1;
  return `${stem}-${number}`;
}

/**
 * @param {Values} values
 * @param {Recipe} base
 * @returns {Recipe}
 */
function canvasOf(values, base) {
  const rest = { min_side_px: base.min_side_px, max_side_px: base.max_side_px };
  if (values["canvas.kind"] === "pixels") {
    return {
      width_px: Number(values["canvas.width_px"]),
      height_px: Number(values["canvas.height_px"]),
      aspect: null,
      ...rest,
    };
  }
  const aspect = values["canvas.kind"] === "aspect" ? values["canvas.aspect"] : null;
  return { width_px: null, height_px: null, aspect, ...rest };
}

/**
 * @param {Values} values
 * @param {Recipe | null} base
 * @returns {Recipe | null}
 */
function shadowOf(values, base) {
  if (values["shadow.type"] === "none") return null;
  const own = base?.type === values["shadow.type"] ? base : {};
  const names = ["strength", "softness", "color"];
  if (values["shadow.type"] === "cast") names.push("elevation");
  if (values["shadow.type"] === "drop") names.push("distance");
  if (values["shadow.type"] === "cast" || values["shadow.type"] === "drop") names.push("direction");
  return partOf(values, "shadow", names, own ?? {});
}

/**
 * @param {Values} values
 * @param {string} part
 * @param {string[]} names
 * @param {Recipe} base
 * @returns {Recipe}
 */
function partOf(values, part, names, base) {
  /** @type {Recipe} */
  const result = { ...base, type: values[`${part}.type`] };
  for (const name of names) {
    const value = values[`${part}.${name}`];
    if (part === "background" && name === "strength") result[name] = Number(value) / 1000;
    else if (PERCENTAGES.has(name)) result[name] = share(value);
    else result[name] = NUMBERS.has(name) ? Number(value) : value;
  }
  return result;
}

/**
 * @param {string} name
 * @param {any} value
 * @param {string} part
 * @returns {string}
 */
function shown(name, value, part) {
  if (part === "background" && name === "strength") return String(Math.round(value * 1000));
  return PERCENTAGES.has(name) ? percent(value) : String(value);
}

/**
 * @param {Values} values
 * @param {Recipe} base
 * @returns {Recipe}
 */
function outputOf(values, base) {
  const kilobytes = Number(values.max_kilobytes);
  return {
    ...base,
    format: values.format,
    quality: Number(values.quality),
    dpi: Number(values.dpi),
    max_bytes: kilobytes > 0 ? kilobytes * 1024 : null,
    name: values.name,
    shadow_layer: values.shadow_layer,
  };
}

/**
 * @param {Recipe} output
 * @returns {Values}
 */
function outputValues(output) {
  return {
    format: output.format,
    quality: String(output.quality),
    dpi: String(output.dpi),
    max_kilobytes: output.max_bytes ? String(Math.floor(output.max_bytes / 1024)) : "",
    name: output.name,
    shadow_layer: output.shadow_layer,
  };
}

/**
 * @param {string | boolean | undefined} value
 * @returns {number}
 */
function share(value) {
  return Number(value) / 100;
}

/**
 * @param {number} value
 * @returns {string}
 */
function percent(value) {
  return String(Math.round(value * 100));
}

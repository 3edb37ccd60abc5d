// The page that processes selected pictures again: the settings form. Its check boxes for outputs are sent as options.
import { byId, find } from "./page/elements.js";
import { ColorTick } from "./settings/background.js";
import { SettingsForm } from "./settings/form.js";
import { optionsToSubmit, ticksOf } from "./settings/options.js";
import { showQualitiesFor } from "./settings/quality.js";
import { wireOwnPresets } from "./settings/presets.js";

const form = byId("again", HTMLFormElement);
const ticks = { mask: byId("p-mask", HTMLInputElement), people: byId("p-people", HTMLInputElement) };
const settings = new SettingsForm(form, {
  background: (_form, onPick) => new ColorTick(form, onPick),
  onPreset(options) {
    const { mask, people } = ticksOf(options);
    ticks.mask.checked = mask;
    ticks.people.checked = people;
    showQualities();
  },
});

function showQualities() {
  showQualitiesFor(byId("p-quality", HTMLSelectElement), ticks.people.checked ? "instances" : "auto");
}
ticks.people.addEventListener("change", showQualities);
showQualities();

const chosenOptions = () =>
  optionsToSubmit(settings.fields, { mask: ticks.mask.checked, people: ticks.people.checked });

form.addEventListener("formdata", ({ formData }) => {
  const { method, outputs } = chosenOptions();
  if (method) formData.set("method", method);
  formData.set("outputs", (outputs ?? []).join(","));
  for (const name of ["mask", "people"]) formData.delete(name);
});
wireOwnPresets(settings.presets, byId("p-save").dataset.url ?? "", chosenOptions);
find(form, "button[name=do]", HTMLButtonElement).disabled = false; // before this, the form would send its raw fields

// ESLint for the pages' scripts and their tests; Prettier does the layout, tsc the types.
import js from "@eslint/js";
import globals from "globals";

const rules = {
  ...js.configs.recommended.rules,
  complexity: ["error", 12],
  curly: ["error", "multi-line"],
  eqeqeq: "error",
  "max-lines": ["error", { max: 400 }],
  "max-lines-per-function": ["error", { max: 60, skipComments: true }],
  "no-console": "error",
  "no-shadow": "error",
  "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": "error",
  "prefer-template": "error",
};

export default [
  { ignores: [".venv/", "node_modules/", "var/", "media/", "static-collected/"] },
  { files: ["static/js/**/*.js"], languageOptions: { globals: globals.browser }, rules },
  { files: ["static/js/theme.js"], languageOptions: { sourceType: "script" } },
  { files: ["tests/js/**/*.js", "*.config.js"], languageOptions: { globals: globals.node }, rules },
];

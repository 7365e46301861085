// The icons of the picker, drawn into the page.
import { html, type TemplateResult } from "lit";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import arrowLeft from "../../shared/icons/arrow-left.svg?raw";
import chevronRight from "../../shared/icons/chevron-right.svg?raw";
import circleX from "../../shared/icons/circle-x.svg?raw";
import check from "../../shared/icons/check.svg?raw";
import eye from "../../shared/icons/eye.svg?raw";
import eyeOff from "../../shared/icons/eye-off.svg?raw";
import flask from "../../shared/icons/flask-conical.svg?raw";
import lock from "../../shared/icons/lock.svg?raw";
import plug from "../../shared/icons/plug.svg?raw";
import plus from "../../shared/icons/plus.svg?raw";
import settings from "../../shared/icons/settings.svg?raw";
import triangle from "../../shared/icons/triangle-alert.svg?raw";
import x from "../../shared/icons/x.svg?raw";

const ICONS = { arrowLeft, check, chevronRight, circleX, eye, eyeOff, flask, lock, plug, plus, settings, triangle, x };

export function icon(name: keyof typeof ICONS): TemplateResult {
  return html`<span class="icon" aria-hidden="true">${unsafeHTML(ICONS[name])}</span>`;
}

// What was cut when it was recorded: lists and objects have a mark in them, texts and others are one.

import { number } from "./dom.js";

const MARK = "prefactor.truncated";
const SIZE = "prefactor.size";

const isMark = (value, size) => value?.[MARK] === true && value[size] !== undefined && Object.keys(value).length === 2;
const isGap = (value) => isMark(value, "size"); // where items are missing
const isEnd = (value) => isMark(value, SIZE); // of a list of which the last are

// What is left of a list or an object, and before which item of a list others are missing; the words for a text or for what was left out; else null.
export function cutOf(value) {
  if (Array.isArray(value)) {
    const gap = value.findLastIndex((one, at) => isGap(one) || (at === value.length - 1 && isEnd(one)));
    if (gap < 0) return null;
    const { [MARK]: mark, ...sizes } = value[gap];
    return { kept: value.toSpliced(gap, 1), size: Object.values(sizes)[0], gap };
  }
  if (value?.[MARK] !== true) return null;
  const { [MARK]: mark, [SIZE]: size, ...kept } = value;
  if (typeof kept.head === "string" && typeof kept.tail === "string") {
    const missing = kept.size - [...kept.head].length - [...kept.tail].length;
    return { text: `${kept.head}\n… ${number(missing)} characters were not recorded …\n${kept.tail}`, size: kept.size };
  }
  if (typeof kept.type === "string" && Object.keys(kept).length === 2) return { text: `${kept.type.replace(/^builtins\./, "")} was left out` };
  return size === undefined ? null : { kept, size };
}

export function holdsCut(value) {
  if (value === null || typeof value !== "object") return false;
  return value[MARK] === true || Object.values(value).some(holdsCut);
}

// A payload whose only mark says that something in it was cut, without that mark.
export function withoutMark(value) {
  if (value?.[MARK] !== true || SIZE in value) return value;
  const { [MARK]: mark, ...rest } = value;
  return rest;
}

export function textOf(value) {
  return typeof value === "string" ? value : cutOf(value)?.text;
}

// What the views of a page share, though each has a script of its own: one animation frame, and one answer to
// the kernel. In JupyterLab an answer costs more than a picture: with each message the kernel says that it is
// busy and idle again, and the page changes its status line and fetches its icon twice.

import type { Model } from "./mount";

/** Frames of a view that an answer tells of at most, and how long an answer is held back for others to join. */
const MOST = 3;
const WITHIN_MS = 250;

/** The views of one kernel, or of one served page. */
interface Group {
  painted: Record<string, number>;
  told: Record<string, number>;
  toldAt: number;
  later?: ReturnType<typeof setTimeout>;
}

interface Stage {
  waiting: Set<() => void>;
  asked: number;
  groups: Map<string, Group>;
}

const stage: Stage = ((globalThis as any)[Symbol.for("ltpkit.stage")] ??= {
  waiting: new Set(), asked: 0, groups: new Map(),
} satisfies Stage);

/** Have something painted with the page's next picture. */
export function soon(paint: () => void): void {
  stage.waiting.add(paint);
  stage.asked ||= requestAnimationFrame(() => {
    const all = [...stage.waiting];
    stage.waiting.clear();
    stage.asked = 0;
    for (const one of all) {
      try {
        one();
      } catch (error) {
        reportError(error); // of one view; the others are painted
      }
    }
  });
}

/** Have something painted no more. */
export const never = (paint: () => void): void => void stage.waiting.delete(paint);

/** Tell the kernel which frame a view, named by its process and a number in it, has painted: soon, with others. */
export function answer(model: Model, view: string, frame: number): void {
  const process = view.slice(0, view.indexOf("-"));
  let group = stage.groups.get(process);
  if (!group) stage.groups.set(process, (group = { painted: {}, told: {}, toldAt: 0 }));
  group.painted[view] = frame;
  const behind = frame - (group.told[view] ?? 0);
  const left = group.toldAt + WITHIN_MS - Date.now();
  clearTimeout(group.later);
  if (behind >= MOST || left <= 0) tell(group, model);
  else group.later = setTimeout(() => tell(group, model), left);
}

function tell(group: Group, model: Model): void {
  group.told = { ...group.painted };
  group.toldAt = Date.now();
  model.set("answered", group.told);
  model.save_changes();
}

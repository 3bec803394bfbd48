//! Pieces of a long benchmark, each in a process of its own, as many at a time as there are cores.
//! What a piece prints goes to the terminal; what it hands back it sends with `process.send`.
import { fork } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";

/** A program, and its arguments. */
export type Piece = { readonly file: string; readonly args: readonly string[] };
/** What a piece sent last; null where it sent nothing, and then why it ended. */
export type Outcome = { readonly sent: unknown; readonly ended: string };

/** Runs all pieces, in this order, `lanes` at a time; the outcomes stand in the same order. */
export async function runPieces(
  pieces: readonly Piece[],
  lanes = availableParallelism(),
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const left = pieces.entries();
  const lane = async (): Promise<void> => {
    for (const [i, piece] of left) outcomes[i] = await runPiece(piece);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return outcomes;
}

async function runPiece({ file, args }: Piece): Promise<Outcome> {
  const child = fork(file, args, { serialization: "advanced" });
  let sent: unknown = null;
  child.on("message", (message) => {
    sent = message;
  });
  const [code, signal] = await once(child, "close"); // behind the last message
  return { sent, ended: `its process ended with ${signal ?? code}` };
}

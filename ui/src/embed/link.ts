// A connect link: its token, which is good for once, becomes a session of one customer.
import { Lost, Refused } from "./api";
import type { Redeemed } from "./types";

/** The token of the session that a link is for. */
export async function redeem(token: string): Promise<string> {
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }) };
  const response = await fetch("/v1/embedded/connect-links/redemptions", request).catch(() => {
    throw new Lost();
  });
  if (!response.ok) throw new Refused(response.status, await response.json().catch(() => ({})), 1, "");
  return ((await response.json()) as Redeemed).token;
}

// A connect link: its token, which is good for once, becomes a session of one customer.
import { Lost, Refused } from "./api";

/** What a link is exchanged for. */
export interface Redeemed {
  token: string;
  expires_at: string;
  /** The connection that it is for, where it is for one that the customer has. */
  connection?: string | null;
}

export async function redeem(token: string): Promise<Redeemed> {
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }) };
  const response = await fetch("/v1/embedded/connect-links/redemptions", request).catch(() => {
    throw new Lost();
  });
  if (!response.ok) throw new Refused(response.status, await response.json().catch(() => ({})), 1, "");
  return (await response.json()) as Redeemed;
}

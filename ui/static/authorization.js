// Tells the page that opened this one how its authorization ended, then closes, or goes back. Pages ask the API as well: a
// provider's opener policy may have cut the popup off.
const { authorization, state } = document.body.dataset;
if (authorization) {
  const message = { type: "keyfob:authorization", id: authorization, state };
  // Only pages of this Keyfob are told.
  if (window.opener) window.opener.postMessage(message, location.origin);
  const back = document.getElementById("back");
  if (window.opener && state === "succeeded") window.close();
  else if (!window.opener && back && state === "succeeded") location.replace(back.href);
}

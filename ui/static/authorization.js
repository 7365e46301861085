// Sends the person back, where there is a page to go back to. Who opened a popup asks the API how it ended, and closes it.
const { authorization, state } = document.body.dataset;
const back = document.getElementById("back");
if (authorization && back && state === "succeeded") location.replace(back.href);

// The dashboard: asks who is signed in, and shows the pages to them.
import "../shared/icons";
import "./dashboard";

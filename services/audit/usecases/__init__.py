"""What is done with the trail: sequencing, signing and inspecting it; reading, proving and reviewing it; verifying it."""

#define PY_MAJOR_VERSION 3
/* Version as a string */
#define PY_VERSION      	"3.13.1+"

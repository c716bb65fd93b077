-- input t: {"userId":1,"Order Total":"5.00"}

SELECT "userId", "Order Total" FROM t;

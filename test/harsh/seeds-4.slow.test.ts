import { seedSuite } from './seeds.ts';

seedSuite(151, 200);
